using Bramble.Lab.Boards;

namespace Bramble.Lab.Qemu;

/// <summary>What an emulated machine's console tells of its stage.</summary>
internal static class EmulatedConsole
{
    private const string Installer = "bramble: ";

    public static void Watch(BoardRun run, string line)
    {
        if (line.Contains(" login:", StringComparison.Ordinal)
            || line.Contains("multi-user.target", StringComparison.Ordinal)
            || line.Contains("Multi-User System", StringComparison.Ordinal))
            run.Note(BoardStage.Running, "its console has come to the log-in");
        else if (line.IndexOf(Installer, StringComparison.Ordinal) is >= 0 and var at)
            run.Note(BoardStage.Emulator, line[(at + Installer.Length)..]);
    }
}
