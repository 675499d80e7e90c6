namespace Bramble.Boot.Images;

/// <summary>An image could not be read, made or kept. The message says what is wrong, where, and what to do.</summary>
public sealed class ImageException(string message, Exception? inner = null) : Exception(message, inner);
