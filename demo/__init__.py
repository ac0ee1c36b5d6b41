"""The demonstration: the whole loop on one machine, watched closing, with the evidence written down.

Floor 4: it starts the fleet by name, reads what anybody may read (topics, tables, registry), and
imports no service.
"""
