"""S3: moto's answers over an index and blobs that survive the process."""
