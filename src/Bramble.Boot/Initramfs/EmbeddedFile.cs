using System.Reflection;

namespace Bramble.Boot.Initramfs;

/// <summary>A file that ships inside this assembly, and where it goes in an initramfs or on a node.</summary>
/// <param name="Path">Relative, forward slashes, no leading slash.</param>
/// <param name="Mode">Permission bits, e.g. 0755 octal as 493.</param>
/// <param name="Content">Its octets; empty for a link.</param>
public sealed record EmbeddedFile(string Path, int Mode, ReadOnlyMemory<byte> Content)
{
    /// <summary>Where a symbolic link points; null for a regular file.</summary>
    public string? LinkTarget { get; init; }

    internal static EmbeddedFile Load(string resource, string path, int mode)
    {
        var assembly = Assembly.GetExecutingAssembly();
        using var stream = assembly.GetManifestResourceStream(resource)
            ?? throw new InvalidOperationException($"The resource {resource} is missing from {assembly.FullName}.");
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return new EmbeddedFile(path, mode, content);
    }

    internal static IEnumerable<string> Resources(string prefix) =>
        Assembly.GetExecutingAssembly().GetManifestResourceNames()
            .Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal);
}
