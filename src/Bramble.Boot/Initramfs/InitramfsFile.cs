namespace Bramble.Boot.Initramfs;

/// <summary>A file to put into an initramfs.</summary>
/// <param name="Path">Without a leading slash; its directories are made.</param>
/// <param name="Mode">Permission bits, e.g. 0x1ED (0755).</param>
public sealed record InitramfsFile(string Path, int Mode, ReadOnlyMemory<byte> Content);
