from notes.commands import app

if __name__ == "__main__":
    app(prog_name="notes")
