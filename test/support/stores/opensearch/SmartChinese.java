import java.util.Map;
import org.apache.lucene.analysis.cn.smart.SmartChineseAnalyzer;
import org.opensearch.index.analysis.AbstractIndexAnalyzerProvider;
import org.opensearch.index.analysis.AnalyzerProvider;
import org.opensearch.indices.analysis.AnalysisModule.AnalysisProvider;
import org.opensearch.plugins.AnalysisPlugin;
import org.opensearch.plugins.Plugin;

/** Offers Lucene's analyzer under the name that the plugin analysis-smartcn gives it; that plugin is in no Maven repository. */
public class SmartChinese extends Plugin implements AnalysisPlugin {
  private static class Provider extends AbstractIndexAnalyzerProvider<SmartChineseAnalyzer> {
    private final SmartChineseAnalyzer analyzer = new SmartChineseAnalyzer();

    Provider(org.opensearch.index.IndexSettings index, String name, org.opensearch.common.settings.Settings settings) {
      super(index, name, settings);
    }

    @Override
    public SmartChineseAnalyzer get() {
      return analyzer;
    }
  }

  @Override
  public Map<String, AnalysisProvider<AnalyzerProvider<? extends org.apache.lucene.analysis.Analyzer>>> getAnalyzers() {
    return Map.of("smartcn", (index, environment, name, settings) -> new Provider(index, name, settings));
  }
}
