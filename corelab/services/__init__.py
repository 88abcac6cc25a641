"""One function per operation of the AWS API: ``create_training_job(cloud, request) -> answer``."""
