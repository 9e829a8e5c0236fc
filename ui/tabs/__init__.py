"""The page's tabs, a module each.

A tab is a module with `LABEL`, the word on it, and `build(services)`, which is called inside a `gradio.Tab` and lays out
its components. `ui.page.TABS` lists those that are shown, in order.
"""
