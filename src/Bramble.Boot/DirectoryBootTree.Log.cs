using Bramble.Wire;
using Microsoft.Extensions.Logging;

namespace Bramble.Boot;

public sealed partial class DirectoryBootTree
{
    [LoggerMessage(2200, LogLevel.Warning, "Refused a path in the boot tree: {Error}")]
    private partial void LogRefusedPath(WireError error);

    [LoggerMessage(2201, LogLevel.Warning,
        "{Path} in the boot tree {Root} is a link that leads out of it; treated as not there")]
    private partial void LogLeavesRoot(string path, string root);

    [LoggerMessage(2202, LogLevel.Debug, "{Path} in the boot tree {Root} is no regular file; treated as not there")]
    private partial void LogNotRegular(string path, string root);
}
