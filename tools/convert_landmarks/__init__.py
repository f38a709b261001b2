"""Makes the shipped ONNX landmark models out of MediaPipe's TFLite files."""
