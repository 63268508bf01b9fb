"""Runs the stand-in as a process of its own."""

from scrm.standin.cli import main

if __name__ == "__main__":
    main()
