"""`python -m maskwright` is the `maskwright` command."""

from maskwright.cli import main

if __name__ == "__main__":
    main()
