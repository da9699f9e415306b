"""Sample pieces, synthesized: `make()` of each module makes one in less than a second."""
