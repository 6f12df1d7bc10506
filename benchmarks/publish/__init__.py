"""What README and docs show: numbers and tables from the result files, pictures from running services."""
