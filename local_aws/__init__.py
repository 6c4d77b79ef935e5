"""The embedded AWS: moto's control plane, mended, with engines that really execute."""
