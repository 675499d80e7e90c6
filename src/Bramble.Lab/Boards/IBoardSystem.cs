namespace Bramble.Lab.Boards;

/// <summary>
/// What runs on a board from its boot ROM on: played by the lab, a real kernel behind a played boot ROM, or a whole
/// machine in an emulator.
/// </summary>
internal interface IBoardSystem : IDisposable
{
    /// <summary>Runs until the board restarts. A power cut cancels it.</summary>
    Task RunAsync(BoardRun run);
}
