"""The audit path: decisions become signed records, records become durable commits.

`interlock.ledger.lane.Lane` is the whole of it for its users. It meets the cluster only through the Protocols of
`interlock.core.ports`; it knows neither HTTP nor kopf.
"""
