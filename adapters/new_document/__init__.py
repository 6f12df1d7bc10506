"""`python -m adapters new-document`: a document file, a recipe and a README from a few labelled examples."""
