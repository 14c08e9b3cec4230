"""What a static executable has to be able to do, each as a command."""
