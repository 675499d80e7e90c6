using Bramble.Lab.Boards;

namespace Bramble.Lab.Rom;

/// <summary>
/// What the firmware takes from config.txt: the kernel, the initramfs, the device tree, the overlays.
/// </summary>
internal sealed record BootConfig
{
    /// <summary>Named by <c>kernel=</c>; null leaves the choice to the firmware.</summary>
    public string? Kernel { get; init; }

    /// <summary>Named by <c>initramfs NAME followkernel</c> (or an address).</summary>
    public string? Initramfs { get; init; }

    public string? DeviceTree { get; init; }

    public string CommandLineFile { get; init; } = "cmdline.txt";

    /// <summary>Put before the names of kernel, initramfs, device tree, overlays and cmdline.txt.</summary>
    public string OsPrefix { get; init; } = "";

    public IReadOnlyList<string> Overlays { get; init; } = [];

    /// <summary>False with <c>arm_64bit=0</c>.</summary>
    public bool Is64Bit { get; init; } = true;

    /// <summary>
    /// Reads the file as the firmware does: sections in brackets hold for the boards that they name, the last of equal
    /// keys wins, unknown keys mean nothing.
    /// </summary>
    public static BootConfig Read(string text, BoardSpec board)
    {
        var config = new BootConfig();
        var overlays = new List<string>();
        var applies = true;
        foreach (var raw in text.Split('\n'))
        {
            var line = raw.Trim();
            if (line.Length == 0 || line[0] == '#') continue;
            if (line[0] == '[')
            {
                applies = Applies(line.Trim('[', ']'), board);
                continue;
            }
            if (!applies) continue;
            if (line.StartsWith("initramfs ", StringComparison.Ordinal))
            {
                config = config with { Initramfs = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1] };
                continue;
            }
            var equals = line.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0) continue;
            var value = line[(equals + 1)..].Trim();
            config = line[..equals].Trim() switch
            {
                "kernel" => config with { Kernel = value },
                "device_tree" => config with { DeviceTree = value },
                "cmdline" => config with { CommandLineFile = value },
                "os_prefix" => config with { OsPrefix = value },
                "arm_64bit" => config with { Is64Bit = value != "0" },
                _ => config,
            };
            if (line.StartsWith("dtoverlay=", StringComparison.Ordinal) && value.Length > 0)
                overlays.Add(value.Split(',')[0]);
        }
        return config with { Overlays = overlays };
    }

    private static bool Applies(string section, BoardSpec board) => section switch
    {
        "all" => true,
        "none" => false,
        _ when section.StartsWith("0x", StringComparison.OrdinalIgnoreCase) =>
            section[2..].Equals(board.Prefix, StringComparison.OrdinalIgnoreCase),
        _ => board.Traits.ConfigFilters.Contains(section),
    };
}
