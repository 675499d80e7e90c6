namespace Bramble.Lab.Boards;

/// <summary>Where a board is between power and work.</summary>
internal enum BoardStage
{
    Off,

    /// <summary>Power is on; the boot ROM looks for a card and for a link.</summary>
    Rom,

    /// <summary>The boot ROM asks for an address.</summary>
    Dhcp,

    /// <summary>The boot ROM or its firmware fetches files.</summary>
    Tftp,

    /// <summary>The kernel starts.</summary>
    Kernel,

    /// <summary>The initramfs asks for an address.</summary>
    Address,

    /// <summary>The initramfs asks for the time.</summary>
    Clock,
    Hello,
    Waiting,
    Check,
    Write,
    Verify,
    Patch,
    Overlay,
    Grow,
    Done,
    Failed,
    Rescue,

    /// <summary>The installed system starts.</summary>
    Booting,

    /// <summary>The installed system has reported in and was heard.</summary>
    Running,

    /// <summary>The emulator runs; the lab knows no more than its console shows.</summary>
    Emulator,

    /// <summary>A Pi 3 that was not answered in time: it does nothing until power-cycled.</summary>
    Silent,

    /// <summary>A Pi 3 that was answered too soon (FW#934), or a fault that the lab was asked for.</summary>
    Hung,

    /// <summary>No way on: a file is missing, the kernel has no root.</summary>
    Stuck,
}

/// <summary>One moment of a board, for the log, the summary and the control socket.</summary>
/// <param name="Since">Monotonic time of the lab at which the stage was entered.</param>
internal sealed record BoardState(BoardStage Stage, string Detail, string Address, TimeSpan Since)
{
    /// <summary>How often this board has been given power.</summary>
    public int PowerCycles { get; init; }

    /// <summary>How often this board has started from its boot ROM.</summary>
    public int Boots { get; init; }

    /// <summary>How often an install has come to its end on this board.</summary>
    public int Installs { get; init; }

    public int Reports { get; init; }
}
