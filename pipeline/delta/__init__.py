"""Delta tables; the only package that knows deltalake."""
