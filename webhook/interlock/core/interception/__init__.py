"""Which requests the API server has to send: webhook rules and conditions made from policies and catalogue."""
