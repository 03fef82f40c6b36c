"""Tables of images: delimited text (`csv_*`) and Parquet (`parquet_*`), and what both share."""
