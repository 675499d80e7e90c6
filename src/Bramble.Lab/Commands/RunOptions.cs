using Bramble.Lab.Boards;
using Bramble.Wire;

namespace Bramble.Lab.Commands;

/// <summary>What <c>bramble-lab run</c> was asked for.</summary>
internal sealed record RunOptions
{
    public required IReadOnlyList<BoardSpec> Boards { get; init; }

    public int Seed { get; init; }

    public required BoardPace Pace { get; init; }

    /// <summary>Address of the virtual switch; null for a plain power strip.</summary>
    public (IPv4Address Address, int Port)? Switch { get; init; }

    /// <summary>SNMP community that may switch ports.</summary>
    public string SwitchCommunity { get; init; } = "private";

    public int Ports { get; init; }

    public bool PowerOn { get; init; }

    public TimeSpan Stagger { get; init; }

    /// <summary>0 to 1.</summary>
    public double Loss { get; init; }

    public IReadOnlyList<int> DeadPorts { get; init; } = [];

    public IReadOnlyList<(string Board, HangFault Hang)> Hangs { get; init; } = [];

    public IReadOnlyList<(string Board, BoardStage Stage)> Holds { get; init; } = [];

    public IReadOnlyList<(string Board, DiskFault Fault)> DiskFaults { get; init; } = [];

    /// <summary>Where sparse disk files go; null keeps digests in memory.</summary>
    public string? DiskDirectory { get; init; }

    public string? Control { get; init; }

    /// <summary>End with 0 as soon as all boards run.</summary>
    public bool UntilRunning { get; init; }

    public TimeSpan? Limit { get; init; }

    public bool Quiet { get; init; }

    /// <summary>Print each file and each percentage, not only each stage.</summary>
    public bool Verbose { get; init; }

    /// <summary>Where emulated boards keep their cards, fetched files and consoles.</summary>
    public string QemuDirectory { get; init; } = "";

    /// <summary>Whether the emulated boards' consoles are shown.</summary>
    public bool ShowConsole { get; init; }

    /// <summary>The prefix of the namespaces, for emulated boards.</summary>
    public string Name { get; init; } = "bramble";
}
