"""Training of the small models that ship with Ibid. Needs torch and onnx, which running Ibid does not."""
