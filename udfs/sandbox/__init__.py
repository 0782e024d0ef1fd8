"""Renders pictures in processes that hold nothing worth stealing and can break nothing but their own picture.

    worker: Sandbox, Nursery                    sockets, which only frames of JSON and bytes cross
      └── fork server: server                   started with an environment of its own, has the decoders in memory
            ├── child: child, confinement       one picture at a time; no files, no network, no other process
            └── child

A child's answer is data that may lie: nothing of it is unpickled, and it is checked before it is believed.
"""
