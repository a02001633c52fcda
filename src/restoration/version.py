"""The version of this project. No code that a step runs, as far as digests of code go: a release changes no frame."""

VERSION = "0.1.0"
