"""The images: one Dockerfile a service, and `pin`, which fixes what they and the compose file stand on."""
