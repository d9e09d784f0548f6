"""Knowledge distillation: losses, adapters, cached teachers, temporal ensembles."""
