using Bramble.Lab.Rom;

namespace Bramble.Lab.Boards;

/// <summary>What runs on a board after its firmware: played by the lab, or a real kernel in an emulator.</summary>
internal interface IBoardSystem : IDisposable
{
    /// <summary>Where the content of a fetched file goes; null drops it.</summary>
    Stream? Keep(string path);

    /// <summary>Runs until the board restarts. A power cut cancels it.</summary>
    Task RunAsync(BoardRun run, BootFiles files);
}
