"""S3, STS, IAM, CloudWatch and ECR: moto speaks the protocols, our stores remember."""
