"""What the process tests and the interop tests share: the real programs, a private sshd, raw clients."""
