"""Programs that run in the environment of a project's build backend; none of them imports cannery."""
