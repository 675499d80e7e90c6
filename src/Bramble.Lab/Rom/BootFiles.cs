namespace Bramble.Lab.Rom;

/// <summary>What the firmware has loaded and starts.</summary>
/// <param name="Kernel">The path as asked for.</param>
/// <param name="Initramfs">Null if config.txt names none.</param>
internal sealed record BootFiles(string Kernel, string? Initramfs, string DeviceTree, string CommandLine)
{
    /// <summary>The value of a word <c>key=value</c> of the kernel's command line.</summary>
    public string? Word(string key)
    {
        foreach (var word in CommandLine.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
            if (word.StartsWith(key, StringComparison.Ordinal) && word.Length > key.Length && word[key.Length] == '=')
                return word[(key.Length + 1)..];
        return null;
    }
}

/// <summary>The boot ends here: a file without which the board cannot go on.</summary>
internal sealed class BootStoppedException(string reason) : Exception(reason);
