"""`python -m ocr_frontend extract`: photos in, fields out, as a table, JSON, JSON Lines or CSV."""
