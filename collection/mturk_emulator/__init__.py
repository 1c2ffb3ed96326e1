"""A Mechanical Turk to rehearse with: the requester's API over HTTP, books, a worker side."""
