"""Reads delivered files by their contract: bytes in, rows of text or typed rows out."""
