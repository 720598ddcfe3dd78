"""A real one-node cluster on this machine: containerd, runc, kubelet, kube-proxy, CoreDNS. Linux, root, no registry.

The control plane is the same as that of the simulated node. What differs is everything below it: pods are containers,
Services are nftables rules, and the machine is changed for as long as the cluster lives. So it is made only when it is
asked for, one at a time, and every change of the machine is written down before it is made (`machine`).
"""
