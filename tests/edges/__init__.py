"""Hard edges: floods, faults, cold starts, ways round. Each test says which scenario, under which load, ended how."""
