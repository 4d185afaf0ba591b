// Package dockertest gives tests a real Docker daemon and images to run in it. Nothing is fetched from a registry of images: the Debian that
// images stand on is made with debootstrap, which needs root, once for as long as the daemon keeps it.
package dockertest
