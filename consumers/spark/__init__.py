"""The consumer's rules on Apache Spark: closed segments of live files from many plants, into Parquet."""
