"""`ami-exporter capture`: an anonymised transcript of every safe list action, for bug reports and for tests."""
