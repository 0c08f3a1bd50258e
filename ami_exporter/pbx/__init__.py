"""One PBX: polled over one connection, listened to over another; `ami_exporter/target.py` joins the two."""
