"""One PBX: polled over one connection, listened to over another; `ami_exporter/pbx/target.py` joins the two."""
