"""Records: their schema, signatures and places in a lane, and what stored ones prove."""
