using Bramble.Cli.Api;

namespace Bramble.Cli.Output;

/// <summary>
/// For what follows something over time: the first look must succeed, and later ones may fail while the manager is
/// restarted. Says so once when it goes and once when it is back.
/// </summary>
internal sealed class Patience(Session session)
{
    private bool _seen;
    private bool _away;

    /// <summary>Null if the manager cannot be reached now.</summary>
    public async Task<Answer<T>?> TryAsync<T>(
        Func<CancellationToken, Task<Answer<T>>> fetch, CancellationToken cancellation)
    {
        try
        {
            var answer = await fetch(cancellation);
            if (_away) session.Say("the manager is back");
            (_seen, _away) = (true, false);
            return answer;
        }
        catch (UnreachableException gone) when (_seen)
        {
            if (!_away) session.Say($"{gone.Message.TrimEnd('.')}; trying on");
            _away = true;
            return null;
        }
    }
}
