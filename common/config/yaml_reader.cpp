#include "common/config/yaml_reader.hpp"

#include "common/base/error.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <system_error>

namespace device_streams {

namespace {

/// Builds the tree from the parser's events. Throws YAML::ParserException, so that every fault has its mark.
class TreeBuilder final : public YAML::EventHandler {
 public:
    explicit TreeBuilder(const YamlLimits& limits) : limits_(limits) {}

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (++documents_ > 1) throw YAML::ParserException(mark, "a second document (---), allowed: one");
    }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        refuse_anchor(mark, anchor);
        add(make(YamlNode::Kind::nothing, mark));
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
        throw YAML::ParserException(mark, "an alias (*), allowed: values written out");
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& text) override {
        refuse_anchor(mark, anchor);
        refuse_tag(mark, tag);
        auto node = make(YamlNode::Kind::scalar, mark);
        node.text = text;
        add(std::move(node));
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        begin(YamlNode::Kind::list, mark, tag, anchor);
    }
    void OnSequenceEnd() override { end(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        begin(YamlNode::Kind::map, mark, tag, anchor);
    }
    void OnMapEnd() override { end(); }

    YamlNode take() { return std::move(root_); }

 private:
    struct Open {
        YamlNode node;
        std::optional<YamlNode> key;  // of a map, waiting for its value
    };

    YamlNode make(YamlNode::Kind kind, const YAML::Mark& mark) {
        if (++nodes_ > limits_.nodes) throw YAML::ParserException(mark, "too many values");
        YamlNode node;
        node.kind = kind;
        node.line = mark.line + 1;
        node.column = mark.column + 1;
        return node;
    }

    void begin(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
        refuse_anchor(mark, anchor);
        refuse_tag(mark, tag);
        const bool is_key = !open_.empty() && open_.back().node.kind == YamlNode::Kind::map && !open_.back().key;
        if (is_key) throw YAML::ParserException(mark, "a list or map as key, allowed: a word");
        if (open_.size() >= limits_.depth) throw YAML::ParserException(mark, "nested too deeply");
        open_.push_back({make(kind, mark), std::nullopt});
    }

    void end() {
        auto node = std::move(open_.back().node);
        open_.pop_back();
        add(std::move(node));
    }

    void add(YamlNode node) {
        if (open_.empty()) {
            root_ = std::move(node);
            return;
        }
        auto& [parent, key] = open_.back();
        if (parent.kind == YamlNode::Kind::list) {
            parent.items.push_back(std::move(node));
        } else if (!key) {
            key = std::move(node);
        } else {
            // Without a value the place of the key is all there is.
            if (node.kind == YamlNode::Kind::nothing)
                std::tie(node.line, node.column) = std::tie(key->line, key->column);
            parent.entries.push_back({std::move(*key), std::move(node)});
            key.reset();
        }
    }

    static void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
        if (anchor != YAML::NullAnchor) throw YAML::ParserException(mark, "an anchor (&), allowed: values written out");
    }
    static void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
        const bool none = tag.empty() || tag == "?" || tag == "!";  // plain and quoted
        if (!none) throw YAML::ParserException(mark, "a tag (!), allowed: plain values");
    }

    const YamlLimits& limits_;
    std::vector<Open> open_;
    YamlNode root_;
    std::size_t nodes_ = 0;
    int documents_ = 0;
};

/// The parser takes some control characters for the end of the file: what follows would be dropped without a word.
bool refuse_control_characters(std::string_view text, const std::string& source, Faults& faults) {
    const auto bad = std::ranges::find_if(text, [](char c) {
        return (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7f;
    });
    if (bad == text.end()) return false;
    const auto before = text.substr(0, static_cast<std::size_t>(bad - text.begin()));
    const auto line = 1 + std::ranges::count(before, '\n');
    const auto line_start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
    const auto column = 1 + before.size() - line_start;
    faults.add({source, static_cast<int>(line), static_cast<int>(column)}, "", "a control character, allowed: text");
    return true;
}

}  // namespace

std::optional<YamlNode> parse_yaml(std::string_view text, const std::string& source, Faults& faults,
                                   const YamlLimits& limits) {
    if (text.size() > limits.bytes) {
        faults.add({source}, "", "too long, allowed: " + std::to_string(limits.bytes) + " bytes");
        return std::nullopt;
    }
    if (refuse_control_characters(text, source, faults)) return std::nullopt;
    try {
        std::istringstream in{std::string(text)};
        YAML::Parser parser(in);
        TreeBuilder tree(limits);
        while (parser.HandleNextDocument(tree)) continue;
        auto root = tree.take();
        if (root.kind == YamlNode::Kind::nothing) root.kind = YamlNode::Kind::map;
        return root;
    } catch (const YAML::Exception& wrong) {
        const auto& mark = wrong.mark;
        if (mark.is_null()) {
            faults.add({source}, "", "not YAML: " + wrong.msg);
        } else {
            faults.add({source, mark.line + 1, mark.column + 1}, "", "not YAML as it is used here: " + wrong.msg);
        }
    } catch (const std::exception& wrong) {
        faults.add({source}, "", std::string("not YAML: ") + wrong.what());
    }
    return std::nullopt;
}

std::string read_file(const std::filesystem::path& path, std::size_t limit) {
    const auto fail = [&path](const std::string& reason) {
        throw Failure(Errc::file_unreadable, path.string() + ": " + reason);
    };
    if (std::error_code ignored; std::filesystem::is_directory(path, ignored)) fail("it is a directory");
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    if (!file) fail(std::generic_category().message(errno));
    std::string text(limit + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (file.bad()) fail(std::generic_category().message(errno));
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.size() > limit) fail("it is longer than " + std::to_string(limit) + " bytes");
    return text;
}

}  // namespace device_streams
