using System.Runtime.InteropServices;
using System.Text;

namespace Bramble.Manager.Hosting;

/// <summary>Sends the log to a file instead of the journal; SIGHUP opens it anew, as logrotate wants.</summary>
internal sealed class LogFile : TextWriter
{
    private readonly string _path;
    private readonly Lock _lock = new();
    private readonly PosixSignalRegistration _hangUp;
    private StreamWriter _writer;

    public LogFile(string path)
    {
        _path = path;
        _writer = Open();
        _hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
        {
            context.Cancel = true;
            lock (_lock)
            {
                _writer.Dispose();
                _writer = Open();
            }
        });
    }

    public override Encoding Encoding => Encoding.UTF8;

    public override void Write(char value)
    {
        lock (_lock) _writer.Write(value);
    }

    public override void Write(string? value)
    {
        lock (_lock) _writer.Write(value);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _hangUp.Dispose();
            _writer.Dispose();
        }
        base.Dispose(disposing);
    }

    private StreamWriter Open() => new(new FileStream(_path, new FileStreamOptions
    {
        Mode = FileMode.Append,
        Access = FileAccess.Write,
        Share = FileShare.ReadWrite | FileShare.Delete,
        UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead,
    }))
    {
        AutoFlush = true,
    };
}
