using Bramble.Wire;

namespace Bramble.Boot;

/// <summary>
/// Who is this board, and what should it get? The one port through which the boot servers ask the manager. Every call
/// answers from memory and never blocks: the servers call it on their packet loops.
/// </summary>
public interface IBootDirectory
{
    /// <summary>Decides whether a board is served and with what; records a first sighting of an unknown one.</summary>
    BoardPlan Find(BoardSighting sighting);

    /// <summary>Opens what the client at this address gets for this path; the caller disposes the content.</summary>
    BootFileAnswer Open(BootFileRequest request);

    /// <summary>Puts a step on the boot timeline of the board that it concerns. Bounded; drops are counted.</summary>
    void Record(BootStep step);
}

/// <summary>A board as its packet shows it.</summary>
/// <param name="Network">The name of the configured network on which it was heard.</param>
/// <param name="Mac">The hardware address (<c>chaddr</c>).</param>
/// <param name="Board">What option 97, the vendor class and the maker's prefix tell of the hardware.</param>
public sealed record BoardSighting(string Network, MacAddress Mac, BoardIdentity Board)
{
    /// <summary>
    /// Nobody was heard: somebody asks what would be answered. The plan is the same, and nothing is taken down.
    /// </summary>
    public bool IsRehearsal { get; init; }
}

/// <summary>What a board's packets tell of its hardware, before any operating system runs on it.</summary>
public sealed record BoardIdentity
{
    /// <summary>The family, which decides how it is answered.</summary>
    public BoardFamily Family { get; init; }

    /// <summary>Full name such as <c>Raspberry Pi 4 Model B</c>; empty if unknown.</summary>
    public string Model { get; init; } = "";

    /// <summary>Board revision code as in /proc/cpuinfo, e.g. 0xa03111; 0 if the packet does not carry it.</summary>
    public uint Revision { get; init; }

    /// <summary>Memory from the revision code, in bytes; 0 if unknown.</summary>
    public long MemoryBytes { get; init; }

    /// <summary>Who made the board, from the revision code, e.g. <c>Sony UK</c>; empty if unknown.</summary>
    public string Maker { get; init; } = "";

    /// <summary>Low 32 bits of the serial number as 8 hex digits (the TFTP prefix); empty if unknown.</summary>
    public string Serial { get; init; } = "";

    /// <summary>The DHCP client architecture (option 93); null if absent.</summary>
    public ushort? ClientArchitecture { get; init; }

    /// <summary>
    /// The processor's, as images name it (arm64 amd64), if the client architecture tells; else empty.
    /// </summary>
    public string Architecture => Family != BoardFamily.Pxe ? "" : ClientArchitecture switch
    {
        Loaders.ClientArchitecture.Bios or Loaders.ClientArchitecture.UefiX64 or Loaders.ClientArchitecture.UefiEbc
            or Loaders.ClientArchitecture.HttpX64 => "amd64",
        Loaders.ClientArchitecture.UefiArm64 or Loaders.ClientArchitecture.HttpArm64
            or Loaders.ClientArchitecture.UBootArm64 => "arm64",
        _ => "",
    };

    /// <summary>What kind of program asks, if the board is no Pi.</summary>
    public BootClient Client { get; init; }
}

/// <summary>Programs that boot over the network, by how they take their boot file.</summary>
public enum BootClient
{
    /// <summary>None: a system, or a Pi's firmware.</summary>
    None,

    /// <summary>A PXE ROM or UEFI firmware: a path, by TFTP.</summary>
    Pxe,

    /// <summary>UEFI HTTP boot: a URL.</summary>
    Http,

    /// <summary>iPXE: a URL of a script.</summary>
    Ipxe,

    /// <summary>U-Boot: looks for <c>pxelinux.cfg</c> by itself.</summary>
    UBoot,
}

/// <summary>Boards that need an answer of their own.</summary>
public enum BoardFamily
{
    /// <summary>Not a netboot client that we know.</summary>
    Unknown,
    Pi3B,
    Pi3BPlus,
    Pi4,
    Pi5,

    /// <summary>A Raspberry Pi whose packet does not say which.</summary>
    PiOther,

    /// <summary>A DHCP client without netboot options: an installed system, an initramfs.</summary>
    PlainClient,

    /// <summary>A PXE, UEFI, iPXE or U-Boot client that is no Pi.</summary>
    Pxe,
}

/// <summary>Whether a board is served.</summary>
public enum Admission
{
    /// <summary>Answer it.</summary>
    Serve,

    /// <summary>
    /// Unknown and waiting for an operator's word (<c>adopt: ask</c>): known to the manager, not answered.
    /// </summary>
    AwaitsAdoption,

    /// <summary>Not ours (<c>adopt: ignore</c>, or forgotten on purpose).</summary>
    Ignore,

    /// <summary>Ours, but what it boots from is not here yet: it asks again.</summary>
    NotReady,

    /// <summary>Unknown, and there is no room to take down another unknown board.</summary>
    TooManyStrangers,
}

/// <summary>What the manager wants for a board on the DHCP door.</summary>
public sealed record BoardPlan(Admission Admission)
{
    /// <summary>What is missing, where the admission is <see cref="Admission.NotReady"/>.</summary>
    public string Missing { get; init; } = "";

    /// <summary>The node's name, offered as its host name (option 12); null to leave it out.</summary>
    public string? HostName { get; init; }

    /// <summary>A reserved address; null to take one from the pool.</summary>
    public IPv4Address? Reserved { get; init; }

    /// <summary>DHCP options for this board alone; null for none.</summary>
    public Dhcp.DhcpOptionSet? Options { get; init; }

    /// <summary>Whether boot-loader options are given: false lets the board fall through to its own disk.</summary>
    public bool NetBoot { get; init; } = true;
}

/// <summary>Which door a file was asked through.</summary>
public enum BootDoor
{
    Tftp,
    Http,
}

/// <summary>A file asked for by a booting client.</summary>
/// <param name="Client">The source address of the request.</param>
/// <param name="Path">Relative, forward slashes, already checked by <c>BootPath</c>; no leading slash.</param>
public sealed record BootFileRequest(IPv4Address Client, string Path, BootDoor Door);

/// <summary>Why a file is not given.</summary>
public enum BootRefusal
{
    None,

    /// <summary>Not there. Boards probe for optional files all the time: no fault.</summary>
    NotFound,

    /// <summary>There, but not for this client.</summary>
    Denied,

    /// <summary>It should be there and could not be read (an I/O error, an image being replaced).</summary>
    Failed,
}

/// <summary>The content, or why there is none, in words for the timeline.</summary>
public readonly record struct BootFileAnswer(IBootContent? Content, BootRefusal Refusal, string Reason)
{
    /// <summary>Where the content comes from, for people; null if there is none.</summary>
    public string? Source { get; init; }

    public static BootFileAnswer Found(IBootContent content) => new(content, BootRefusal.None, "");

    public static BootFileAnswer NotFound(string reason) => new(null, BootRefusal.NotFound, reason);
}

/// <summary>A piece of an open file. Whoever reads it does not own the descriptor.</summary>
public readonly record struct FileExtent(Microsoft.Win32.SafeHandles.SafeFileHandle File, long Offset, long Length);

/// <summary>A read-only file that any number of transfers read at once.</summary>
public interface IBootContent : IDisposable
{
    /// <summary>Octets; fixed for the life of the object.</summary>
    long Length { get; }

    /// <summary>Changes whenever the bytes change: an entity tag without quotes.</summary>
    string Tag { get; }

    /// <summary>
    /// Whether the tag stands for these bytes and no others, of whatever file, so that a copy of them may be kept by it
    /// for other clients. False for what is in memory already.
    /// </summary>
    bool MayBeKept => false;

    /// <summary>
    /// Where on disk the bytes lie, in their order, for a sender that lets the kernel copy them; null if they lie
    /// nowhere as they are. The descriptors stay open as long as the content.
    /// </summary>
    /// <exception cref="IOException">The medium failed.</exception>
    IReadOnlyList<FileExtent>? Extents => null;

    /// <summary>Fills the buffer from an offset, short only at the end of the file. Thread-safe.</summary>
    /// <exception cref="IOException">The medium failed.</exception>
    int Read(long offset, Span<byte> buffer);
}

/// <summary>A tree of boot files: a FAT partition inside an image, or a directory.</summary>
public interface IBootTree
{
    /// <summary>Opens a file by its checked relative path. FAT is case-insensitive, a directory is not.</summary>
    /// <exception cref="IOException">The tree or the file is there but cannot be read.</exception>
    bool TryOpen(string path, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out IBootContent? content);
}

/// <summary>Where in a boot a step belongs.</summary>
public enum BootStage
{
    Dhcp,
    Tftp,
    Http,
    Time,
    Installer,
    System,
    Power,
}

/// <summary>What a step means for the boot.</summary>
public enum StepOutcome
{
    /// <summary>The boot went on.</summary>
    Ok,

    /// <summary>Asked for something optional that is not there; the board goes on.</summary>
    Probe,

    /// <summary>We chose not to answer; the reason says why.</summary>
    Ignored,

    /// <summary>Something broke.</summary>
    Failed,
}

/// <summary>One step of a boot, as a door saw it. The manager finds the node by MAC, else by address.</summary>
/// <param name="What">Short and machine-stable: <c>DISCOVER</c>, <c>OFFER</c>, <c>start4.elf</c>.</param>
/// <param name="Detail">For people: <c>offered 10.0.0.7 for 3600 s</c>, <c>2,250,016 bytes in 0.8 s</c>.</param>
public sealed record BootStep(DateTimeOffset At, BootStage Stage, string What, StepOutcome Outcome, string Detail)
{
    public MacAddress? Mac { get; init; }

    public IPv4Address? Address { get; init; }

    /// <summary>What the packet told of its sender; null if it was not looked at that far.</summary>
    public BoardIdentity? Board { get; init; }
}
