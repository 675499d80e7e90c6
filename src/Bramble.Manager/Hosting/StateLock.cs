using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Bramble.Manager.Hosting;

/// <summary>
/// One daemon to a state directory: two would each believe its own memory, and give one address to two boards. The lock
/// is the kernel's (flock(2)) and ends with the process, however that dies; the file that carries it stays.
/// </summary>
internal sealed partial class StateLock : IDisposable
{
    private const int ReadWrite = 2;
    private const int Create = 0x40;
    private const int CloseOnExec = 0x80000;
    private const int OwnerOnly = 0x180; // 0600

    private const int LockExclusive = 2;
    private const int LockNonBlocking = 4;

    private const int WouldBlock = 11;

    private readonly SafeFileHandle _file;

    private StateLock(SafeFileHandle file) => _file = file;

    /// <summary>Takes the directory for this process, and makes it if it is not there.</summary>
    /// <exception cref="IOException">Another daemon has it, or the directory cannot be written to.</exception>
    public static StateLock Take(string directory)
    {
        var path = Path.Combine(directory, "brambled.lock");
        try
        {
            Directory.CreateDirectory(
                directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"the state directory {directory} cannot be made: {e.Message}", e);
        }
        // Not by FileStream: that locks on opening, so the one who is refused could not read whose lock it is.
        var file = OpenFile(path, ReadWrite | Create | CloseOnExec, OwnerOnly);
        if (file.IsInvalid)
        {
            throw new IOException($"{path} cannot be opened: {Marshal.GetLastPInvokeErrorMessage()}; check that the "
                + "state directory belongs to brambled and is not read-only");
        }
        if (Flock(file, LockExclusive | LockNonBlocking) != 0)
        {
            using (file) throw Refusal(directory, file, Marshal.GetLastPInvokeError());
        }
        NoteOwner(file);
        return new StateLock(file);
    }

    public void Dispose() => _file.Dispose();

    private static IOException Refusal(string directory, SafeFileHandle file, int error)
    {
        if (error != WouldBlock)
        {
            return new IOException(
                $"the state directory {directory} cannot be locked: {Marshal.GetPInvokeErrorMessage(error)}");
        }
        Span<byte> text = stackalloc byte[20];
        var length = RandomAccess.Read(file, text, 0);
        var isKnown = int.TryParse(
            text[..length], NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var id);
        return new IOException($"the state directory {directory} is in use by another brambled"
            + (isKnown ? $", process {id}" : "") + ": stop that one, or give this one a directory of its own "
            + "('state:' in its configuration)");
    }

    private static void NoteOwner(SafeFileHandle file)
    {
        try
        {
            RandomAccess.SetLength(file, 0);
            RandomAccess.Write(file, Encoding.ASCII.GetBytes($"{Environment.ProcessId}\n"), 0);
        }
        catch (IOException)
        {
            // A full disk. The lock holds all the same; who is refused hears no process id.
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle OpenFile(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Flock(SafeFileHandle file, int operation);
}
