"""One module (or package) per AWS service; each exposes `install(runtime)`."""
