"""Live endpoints: model processes, their scaling, and the deployments that change them."""
