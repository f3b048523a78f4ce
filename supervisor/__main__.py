"""`python -m supervisor`, which ./modyn-supervisor runs."""

from supervisor.cli.main import main

if __name__ == "__main__":
    main()
